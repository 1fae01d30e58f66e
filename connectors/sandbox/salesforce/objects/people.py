"""User and Profile."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

USER = f.SObject(
    name="User",
    label="User",
    plural="Users",
    prefix="005",
    deletable=False,
    setup=True,
    write_permission="ManageUsers",
    fields=(
        f.record_id("User ID"),
        f.text("Username", "Username", 80, unique=True).required,
        f.text("LastName", "Last Name", 80, compound="Name").required,
        f.text("FirstName", "First Name", 40, compound="Name", permissionable=False),
        f.text("Name", "Full Name", 121, name_field=True).required.fixed,
        f.text("CompanyName", "Company Name", 80, permissionable=False),
        f.text("Department", "Department", 80, permissionable=False),
        f.text("Title", "Title", 80, permissionable=False),
        f.email("Email", "Email").required,
        f.text("Alias", "Alias", 8).required,
        f.checkbox("IsActive", "Active", default=True).required,
        f.picklist("TimeZoneSidKey", "Time Zone", ()).required,
        f.picklist("LocaleSidKey", "Locale", ()).required,
        f.picklist("LanguageLocaleKey", "Language", ()).required,
        f.lookup("ProfileId", "Profile ID", "Profile", "Profile").required,
        f.lookup("ManagerId", "Manager ID", "User", "Manager", permissionable=False),
        f.picklist(
            "UserType",
            "User Type",
            ("Standard", "PowerPartner", "CsnOnly", "AutomatedProcess", "CloudIntegrationUser"),
            permissionable=False,
        ).fixed,
        f.moment("LastLoginDate", "Last Login", permissionable=False).fixed,
        *f.audit(deletable=False),
    ),
)

PROFILE = f.SObject(
    name="Profile",
    label="Profile",
    plural="Profile",
    prefix="00e",
    createable=False,
    updateable=False,
    deletable=False,
    setup=True,
    replicateable=False,
    fields=(
        f.record_id("Profile ID"),
        f.text("Name", "Name", name_field=True).required,
        f.text("Description", "Description", permissionable=False),
        f.picklist("UserType", "User Type", ("Standard",), permissionable=False),
        *f.audit(deletable=False),
    ),
)
