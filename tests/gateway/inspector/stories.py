"""A ledger with one wallet and its inspector, for stories about what happens to a purchase."""

from __future__ import annotations

from pathlib import Path

from gateway.cards import create_card_schema
from gateway.inspector.inspector import Inspector
from gateway.inspector.journal import FILE_NAME
from gateway.inspector.timeline import Timeline
from ledger.commands import AnyCommand, Purpose
from tests.ledger.books import NOW, Books


class Story(Books):
    """`Books` whose inspector reads a journal in `folder`."""

    INQUIRY = Purpose.INQUIRY

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder}/ledger.db")
        with self.database.transaction() as connection:
            create_card_schema(connection)
        self.journal_path = folder / FILE_NAME
        self.inspector = Inspector(self.database, self.journal_path)

    def happen(self, *commands: AnyCommand) -> int:
        """One after another; the id of the first one's authorization."""
        first, *_ = [self.ask(each) for each in commands]
        return first.authorization_id

    def last_subject(self) -> int:
        """What the last event is about."""
        return self.told()[-1].subject_id

    def timeline(self, subject_id: int, now: int = NOW) -> Timeline:
        return self.inspector.timeline(1, subject_id, now)

    def answer(self, subject_id: int, question: str, now: int = NOW) -> str:
        """What is answered to a question."""
        [found] = [
            each.answer
            for each in self.timeline(subject_id, now).answers
            if each.question == question
        ]
        return found
