"""The Metadata API: a zip of components, deployed as one."""
