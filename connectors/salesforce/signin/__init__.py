"""How kam signs in to an org: one file per OAuth flow, and what they share."""

from connectors.salesforce.signin.choosing import SignIn, admin_sign_in, sign_in_of
from connectors.salesforce.signin.session import SignedIn, TokenEndpoint, trusted_root

__all__ = ["SignIn", "SignedIn", "TokenEndpoint", "admin_sign_in", "sign_in_of", "trusted_root"]
