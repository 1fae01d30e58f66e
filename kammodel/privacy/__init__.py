"""What is personal: keyed hashes of addresses, who was forgotten, and what of the model speaks of whom."""
