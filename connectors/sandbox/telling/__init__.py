"""What people do in their CRMs while time passes: the parts that `connectors.sandbox.story` puts together."""
