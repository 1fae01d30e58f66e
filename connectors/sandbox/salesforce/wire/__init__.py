"""An org over HTTP: OAuth, REST, the Metadata and Tooling parts of it, and SOAP where clients still use it."""
