"""The types of the Metadata API that the sandbox deploys, as data.

After the vendor's WSDL of the Metadata API, version 63, as simple-salesforce ships it (read 2026-11-28).
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.package import tag_of
from connectors.sandbox.salesforce.metadata.shapes import Part, check
from connectors.sandbox.salesforce.refusals import unknown_to_sandbox

_TEXT, _FLAG, _WHOLE = Part("string"), Part("boolean"), Part("int")

ENUMS: Mapping[str, frozenset[str]] = {
    "FilterScope": frozenset(
        {
            "Everything", "Mine", "Queue", "Delegated", "MyTerritory", "MyTeamTerritory", "Team", "SalesTeam",
            "AssignedToMe", "MineAndMyGroups", "ScopingRule",
        }
    ),
    "FilterOperation": frozenset(
        {
            "equals", "notEqual", "lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual", "contains", "notContain",
            "startsWith", "includes", "excludes", "within",
        }
    ),
    "UiBehavior": frozenset({"Edit", "Required", "Readonly"}),
    "LayoutSectionStyle": frozenset({"TwoColumnsTopToBottom", "TwoColumnsLeftToRight", "OneColumn", "CustomLinks"}),
    "LayoutHeader": frozenset({"PersonalTagging", "PublicTagging"}),
    "SortOrder": frozenset({"Asc", "Desc"}),
    "PlatformActionListContext": frozenset(
        {
            "ListView", "RelatedList", "ListViewRecord", "RelatedListRecord", "Record", "FeedElement", "Chatter",
            "Global", "Flexipage", "MruList", "MruRow", "RecordEdit", "Photo", "BannerPhoto", "ObjectHomeChart",
            "ListViewDefinition", "Dockable", "Lookup", "Assistant",
        }
    ),
    "PlatformActionType": frozenset(
        {"QuickAction", "StandardButton", "CustomButton", "ProductivityAction", "ActionLink", "InvocableAction"}
    ),
    "SummaryLayoutStyle": frozenset(
        {
            "Default", "QuoteTemplate", "DefaultQuoteTemplate", "ServiceReportTemplate",
            "ChildServiceReportTemplateStyle", "DefaultServiceReportTemplate", "CaseInteraction",
            "QuickActionLayoutLeftRight", "QuickActionLayoutTopDown", "PathAssistant",
        }
    ),
}  # fmt: skip

TYPES: Mapping[str, Mapping[str, Part]] = {
    "CustomField": {
        **dict.fromkeys(("fullName", "label", "type", "description", "inlineHelpText", "defaultValue"), _TEXT),
        **dict.fromkeys(("precision", "scale", "length", "visibleLines"), _WHOLE),
        **dict.fromkeys(("required", "externalId", "unique", "caseSensitive"), _FLAG),
        **dict.fromkeys(("trackHistory", "trackFeedHistory", "trackTrending"), _FLAG),
        **dict.fromkeys(("securityClassification", "businessStatus"), _TEXT),
        "valueSet": Part("ValueSet"),
    },
    "ValueSet": {
        "controllingField": _TEXT,
        "restricted": _FLAG,
        "valueSetDefinition": Part("ValueSetValuesDefinition"),
        "valueSetName": _TEXT,
    },
    "ValueSetValuesDefinition": {"sorted": _FLAG.must, "value": Part("CustomValue").many},
    "CustomValue": {
        **dict.fromkeys(("fullName", "label", "color", "description"), _TEXT),
        **dict.fromkeys(("default", "isActive"), _FLAG),
    },
    "ListView": {
        "fullName": _TEXT.must,
        "booleanFilter": _TEXT,
        "columns": _TEXT.many,
        "division": _TEXT,
        "filterScope": Part("FilterScope").must,
        "filters": Part("ListViewFilter").many,
        "label": _TEXT.must,
        "language": _TEXT,
        "queue": _TEXT,
        "sharedTo": Part("SharedTo"),
    },
    "ListViewFilter": {"field": _TEXT.must, "operation": Part("FilterOperation").must, "value": _TEXT},
    "SharedTo": {
        **dict.fromkeys(("allCustomerPortalUsers", "allInternalUsers", "allPartnerUsers"), _TEXT),
        **dict.fromkeys(("group", "role", "roleAndSubordinates", "roleAndSubordinatesInternal"), _TEXT.many),
    },
    "PermissionSet": {
        "fullName": _TEXT,
        "label": _TEXT.must,
        "description": _TEXT,
        "hasActivationRequired": _FLAG,
        "license": _TEXT,
        "fieldPermissions": Part("PermissionSetFieldPermissions").many,
        "objectPermissions": Part("PermissionSetObjectPermissions").many,
        "userPermissions": Part("PermissionSetUserPermission").many,
    },
    "PermissionSetFieldPermissions": {"editable": _FLAG.must, "field": _TEXT.must, "readable": _FLAG},
    "PermissionSetObjectPermissions": {
        **dict.fromkeys(("allowCreate", "allowDelete", "allowEdit", "allowRead"), _FLAG.must),
        "modifyAllRecords": _FLAG.must,
        "object": _TEXT.must,
        "viewAllFields": _FLAG,
        "viewAllRecords": _FLAG.must,
    },
    "PermissionSetUserPermission": {"enabled": _FLAG.must, "name": _TEXT.must},
    "Layout": {
        "fullName": _TEXT,
        **dict.fromkeys(("customButtons", "excludeButtons", "multilineLayoutFields", "relatedObjects"), _TEXT.many),
        "headers": Part("LayoutHeader").many,
        "layoutSections": Part("LayoutSection").many,
        "miniLayout": Part("MiniLayout"),
        "platformActionList": Part("PlatformActionList"),
        "quickActionList": Part("QuickActionList"),
        "relatedContent": Part("RelatedContent"),
        "relatedLists": Part("RelatedListItem").many,
        "summaryLayout": Part("SummaryLayout"),
        **dict.fromkeys(("emailDefault", "runAssignmentRulesDefault", "showEmailCheckbox"), _FLAG),
        **dict.fromkeys(("showHighlightsPanel", "showInteractionLogPanel", "showKnowledgeComponent"), _FLAG),
        **dict.fromkeys(("showRunAssignmentRulesCheckbox", "showSolutionSection"), _FLAG),
        "showSubmitAndAttachButton": _FLAG,
    },
    "LayoutSection": {
        **dict.fromkeys(("customLabel", "detailHeading", "editHeading"), _FLAG),
        "label": _TEXT,
        "layoutColumns": Part("LayoutColumn").many,
        "style": Part("LayoutSectionStyle").must,
    },
    "LayoutColumn": {"layoutItems": Part("LayoutItem").many, "reserved": _TEXT},
    "LayoutItem": {
        "behavior": Part("UiBehavior"),
        **dict.fromkeys(("canvas", "component", "customLink", "field", "page", "scontrol", "width"), _TEXT),
        **dict.fromkeys(("emptySpace", "showLabel", "showScrollbars"), _FLAG),
        "height": _WHOLE,
    },
    "MiniLayout": {"fields": _TEXT.many, "relatedLists": Part("RelatedListItem").many},
    "RelatedListItem": {
        **dict.fromkeys(("customButtons", "excludeButtons", "fields", "quickActions"), _TEXT.many),
        "relatedList": _TEXT.must,
        "sortField": _TEXT,
        "sortOrder": Part("SortOrder"),
    },
    "PlatformActionList": {
        "actionListContext": Part("PlatformActionListContext").must,
        "platformActionListItems": Part("PlatformActionListItem").many,
        "relatedSourceEntity": _TEXT,
    },
    "PlatformActionListItem": {
        "actionName": _TEXT.must,
        "actionType": Part("PlatformActionType").must,
        "sortOrder": _WHOLE.must,
        "subtype": _TEXT,
    },
    "QuickActionList": {"quickActionListItems": Part("QuickActionListItem").many},
    "QuickActionListItem": {"quickActionName": _TEXT.must},
    "RelatedContent": {"relatedContentItems": Part("RelatedContentItem").many},
    "RelatedContentItem": {"layoutItem": Part("LayoutItem").must},
    "SummaryLayout": {
        "masterLabel": _TEXT.must,
        "sizeX": _WHOLE.must,
        **dict.fromkeys(("sizeY", "sizeZ"), _WHOLE),
        "summaryLayoutItems": Part("SummaryLayoutItem").many,
        "summaryLayoutStyle": Part("SummaryLayoutStyle").must,
    },
    "SummaryLayoutItem": {
        **dict.fromkeys(("customLink", "field"), _TEXT),
        "posX": _WHOLE.must,
        **dict.fromkeys(("posY", "posZ"), _WHOLE),
    },
}

ELSEWHERE: Mapping[str, frozenset[str]] = {
    "CustomField": frozenset({"formula", "referenceTo", "summaryOperation", "relationshipName", "lookupFilter"}),
    "PermissionSet": frozenset(
        {
            "applicationVisibilities", "classAccesses", "customPermissions", "customMetadataTypeAccesses",
            "customSettingAccesses", "externalDataSourceAccesses", "flowAccesses", "pageAccesses",
            "recordTypeVisibilities", "tabSettings",
        }
    ),
    "Layout": frozenset({"customConsoleComponents", "feedLayout"}),
}  # fmt: skip
"""Elements that a type has and the sandbox does not: using one is a gap of ours and says so."""


def check_type(xml: ET.Element, kind: str) -> None:
    """Raise Problem where `xml` is not of the type `kind`; Refusal for what the sandbox does not take of it."""
    for child in xml:
        if tag_of(child) in ELSEWHERE.get(kind, ()):
            raise unknown_to_sandbox(f"{kind}.{tag_of(child)}")
    check(xml, kind, TYPES, ENUMS)
