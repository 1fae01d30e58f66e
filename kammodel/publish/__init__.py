"""What is written back: the fields, the plan that compares them cell by cell, and the ledger of outcomes."""
