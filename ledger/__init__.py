"""Money: accounts, holds, postings, audit. It knows no card and no network."""
