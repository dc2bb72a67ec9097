"""A process to be killed: decides batches on a ledger and tells each decision after its commit.

Run as ``python -m tests.ledger.crashing URL FIRST_NUMBER``; every line that it prints is a
promise: request number, authorization id, verb, outcome.
"""

from __future__ import annotations

import random
import sys
from itertools import count

from ledger.commands import AnyCommand
from ledger.database import Database
from ledger.ledger import Ledger
from tests.ledger.books import Books, named

ACCOUNTS = 20


def story(books: Books, number: int, chance: random.Random) -> AnyCommand:
    """Command `number`: an authorization, or something about one of the last few."""
    origin = books.origin(f"T{number}", f"s{number}", f"k{number}")
    account_id = chance.randint(1, ACCOUNTS)
    earlier = named(f"T{max(0, number - chance.randint(1, 40))}")
    match chance.randint(0, 5):
        case 0:
            return books.clear(chance.randint(1, 50), earlier, origin, account_id=account_id)
        case 1:
            return books.reverse(earlier, 0, origin, account_id=account_id)
        case _:
            return books.authorize(chance.randint(1, 50), origin, account_id=account_id)


def main(url: str, first: str) -> None:
    books = Books.__new__(Books)  # the ledger is there already
    books.numbers, books.now = count(1), 1_800_000_000_000_000
    ledger = Ledger(Database.open(url))
    number = int(first)
    chance = random.Random(number)
    while True:
        size = chance.randint(1, 40)
        batch = [story(books, number + place, chance) for place in range(size)]
        for place, decision in enumerate(ledger.apply(batch)):
            verb = type(batch[place]).__name__
            told = (number + place, batch[place].account_id, verb, decision.outcome.name)
            sys.stdout.write(" ".join(map(str, told)) + "\n")
        sys.stdout.flush()
        number += size


if __name__ == "__main__":
    main(*sys.argv[1:])
