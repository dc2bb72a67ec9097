"""The issuer processor: links, cards, checks and decisions between the networks and the ledger."""
