"""What line items, products and goals are born with."""

from __future__ import annotations

from connectors.sandbox.hubspot.builtin_rows import AREA, DATE, INSTANT, NUMBER, SELECT, TEXT, Born
from connectors.sandbox.hubspot.kinds import GOAL_TARGETS, LINE_ITEMS, PRODUCTS

_FREQUENCIES = ("weekly", "monthly", "quarterly", "annually")

COMMERCE: dict[str, Born] = {
    LINE_ITEMS.name: Born(
        free={
            "name": ("Name", *TEXT),
            "quantity": ("Quantity", *NUMBER),
            "price": ("Unit price", *NUMBER),
            "amount": ("Net price", *NUMBER),
            "discount": ("Unit discount", *NUMBER),
            "hs_discount_percentage": ("Discount Percentage", *NUMBER),
            "hs_sku": ("SKU", *TEXT),
            "hs_product_id": ("Product ID", *NUMBER),
            "hs_line_item_currency_code": ("Currency", *SELECT),
            "recurringbillingfrequency": ("Billing frequency", *SELECT),
            "hs_recurring_billing_period": ("Term", *TEXT),
            "hs_recurring_billing_start_date": ("Billing start date", *DATE),
        },
        options={"recurringbillingfrequency": _FREQUENCIES},
    ),
    PRODUCTS.name: Born(
        free={
            "name": ("Name", *TEXT),
            "description": ("Product description", *AREA),
            "price": ("Unit price", *NUMBER),
            "hs_sku": ("SKU", *TEXT),
            "hs_cost_of_goods_sold": ("Unit cost", *NUMBER),
            "hs_product_type": ("Product Type", *SELECT),
            "hs_status": ("Status", *SELECT),
            "recurringbillingfrequency": ("Billing frequency", *SELECT),
            "hs_recurring_billing_period": ("Term", *TEXT),
        },
        options={
            "hs_product_type": ("inventory", "non_inventory", "service"),
            # From memory: the property's options are not documented.
            "hs_status": ("active", "inactive"),
            "recurringbillingfrequency": _FREQUENCIES,
        },
    ),
    # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/goals/guide (read 2026-11-28).
    GOAL_TARGETS.name: Born(
        free={
            "hs_goal_name": ("Goal name", *TEXT),
            "hs_goal_type": ("Goal type", *TEXT),
            "hs_milestone": ("Milestone", *SELECT),
            "hs_target_amount": ("Target amount", *NUMBER),
            "hs_kpi_value": ("KPI value", *NUMBER),
            "hs_start_datetime": ("Start date", *INSTANT),
            "hs_end_datetime": ("End date", *INSTANT),
            "hs_group_correlation_uuid": ("Goal family", *TEXT),
            "hs_goal_target_group_id": ("Goal target group", *NUMBER),
            "hs_created_by_user_id": ("Created by", *NUMBER),
        },
        options={"hs_milestone": ("weekly", "monthly", "quarterly", "yearly")},
    ),
}
