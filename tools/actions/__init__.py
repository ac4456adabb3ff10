"""The ledger as people ask about it: what was proposed, decided and done."""
