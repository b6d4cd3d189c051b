"""The words of pipeline statements, as sqlglot's tokenizer cuts them: it knows text and comments, but not EXPECT."""

from collections.abc import Iterator
from typing import Any, NoReturn

from ..lakehouse.sql_query import DIALECT, QueryError, quiet

_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")


class Words:
    """A statement, read from left to right.

    Args:
        text: The text of the whole file.
        tokens: The tokens of the statement.
    """

    def __init__(self, text: str, tokens: list[Any]) -> None:
        self._text, self._tokens, self._next = text, tokens, 0

    @classmethod
    def statements(cls, text: str) -> "Iterator[Words]":
        """Each statement of a text; raises QueryError where it cannot be cut into words."""
        with quiet():
            import sqlglot
            from sqlglot.errors import TokenError

        try:
            with quiet():
                tokens = sqlglot.tokenize(text, read=DIALECT)
        except TokenError as error:
            raise QueryError(" ".join(str(error).split()), text.count("\n") + 1) from None
        statement: list[Any] = []
        for token in tokens:
            if token.text == ";" and token.token_type.name == "SEMICOLON":
                if statement:
                    yield cls(text, statement)
                statement = []
            else:
                statement.append(token)
        if statement:
            yield cls(text, statement)

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._next >= len(self._tokens)

    @property
    def line(self) -> int:
        """The line of the next word, or of the last one."""
        return int(self._tokens[min(self._next, len(self._tokens) - 1)].line)

    def at(self, *words: str) -> bool:
        """Whether these words come next."""
        found = self._tokens[self._next : self._next + len(words)]
        return [token.text.upper() for token in found if not _quoted(token)] == list(words)

    def take(self, *words: str) -> bool:
        """Pass over these words, if they come next."""
        here = self.at(*words)
        self._next += len(words) * here
        return here

    def expect(self, *words: str) -> None:
        """Pass over these words; raises QueryError where others stand there."""
        if not self.take(*words):
            self.fail(f"expected {' '.join(words)}")

    def fail(self, message: str) -> NoReturn:
        """Raise QueryError at the next word."""
        near = "the end" if self.ended else repr(self._tokens[self._next].text)
        raise QueryError(f"{message}, near {near}", self.line)

    def name(self) -> str:
        """A name of one or more parts."""
        parts = [self._word()]
        while self.take("."):
            parts.append(self._word())
        return ".".join(parts)

    def text(self) -> str:
        """Quoted text."""
        if self.ended or self._tokens[self._next].token_type.name not in ("STRING", "RAW_STRING"):
            self.fail("expected quoted text")
        return self._word()

    def number(self) -> str:
        """A number."""
        return self._word()

    def rest(self) -> str:
        """All that is left, as it is written."""
        if self.ended:
            self.fail("expected more")
        written = self._written(self._next, len(self._tokens))
        self._next = len(self._tokens)
        return written

    def until(self, *words: str) -> str:
        """What is written before one of these words, outside of brackets."""
        start = self._next
        while not self.ended and not any(self.at(word) for word in words):
            self._pass_one()
        if start == self._next:
            self.fail("expected an expression")
        return self._written(start, self._next)

    def items_in_brackets(self) -> "list[Words]":
        """What stands between brackets, cut at its commas."""
        self.expect("(")
        items: list[list[Any]] = []
        item: list[Any] = []
        while not self.take(")"):
            if self.ended:
                self.fail("expected )")
            if self.take(","):
                items.append(item)
                item = []
                continue
            start = self._next
            self._pass_one()
            item += self._tokens[start : self._next]
        return [Words(self._text, tokens) for tokens in [*items, item] if tokens]

    def bracket_text(self) -> str:
        """What is written between brackets."""
        if not self.at("("):
            self.fail("expected (")
        start = self._next
        self._pass_one()
        return self._written(start + 1, self._next - 1)

    def names_in_brackets(self) -> list[str]:
        """Names between brackets, with commas between them."""
        return [item.name() for item in self.items_in_brackets()]

    def properties(self) -> dict[str, str]:
        """Pairs of text between brackets."""
        found = {}
        for item in self.items_in_brackets():
            key = item.name()
            item.take("=")
            found[key] = item._word()
        return found

    def skip_clause(self) -> None:
        """Pass over one word and the brackets behind it: a clause that means nothing on this machine."""
        self._pass_one()
        if self.at("("):
            self._pass_one()

    def _word(self) -> str:
        if self.ended:
            self.fail("expected more")
        self._next += 1
        return str(self._tokens[self._next - 1].text)

    def _pass_one(self) -> None:
        depth = 0
        while True:
            if self.ended:
                self.fail("expected )")
            token = self._tokens[self._next]
            if not _quoted(token):
                depth += (token.text in _OPENING) - (token.text in _CLOSING)
            self._next += 1
            if depth <= 0:
                return

    def _written(self, start: int, end: int) -> str:
        return self._text[self._tokens[start].start : self._tokens[end - 1].end + 1]


def _quoted(token: Any) -> bool:
    return token.token_type.name in ("STRING", "RAW_STRING", "IDENTIFIER")
