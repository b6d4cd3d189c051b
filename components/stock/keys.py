"""The secrets of one refresh or run, and which they were."""

from collections.abc import Callable

import dagster as dg

from .asking import Vendor


class Keys:
    """Gives secrets by name, and keeps them out of every text.

    Args:
        read: Gives a secret by its name.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self.found: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """A secret."""
        if name not in self.found:
            self.found[name] = self._read(name)
        return self.found[name]

    @classmethod
    def none(cls) -> "Keys":
        """What stands for secrets while nothing is asked of the service."""
        return cls(lambda name: f"the secret {name} is read when it is needed")

    def without(self, text: str) -> str:
        """A text that shows none of them."""
        from ..secrets import redacted

        return redacted(text, self.found.values())

    def told(self, title: str, error: Exception) -> dg.Failure:
        """A failure for whatever a vendor's client raised, in one line without secrets.

        Args:
            title: The vendor.
            error: What was raised.
        """
        if isinstance(error, dg.Failure):
            return error
        if isinstance(error, KeyError | TypeError | IndexError | AttributeError | ValueError | SyntaxError):
            said = f"{title} answered in a shape that is not understood ({type(error).__name__}): {error}"
        else:
            said = f"{title} could not be asked ({type(error).__name__}): {error}"
        return dg.Failure(self.without(" ".join(said.split())[:500]))

    def vendor(self, title: str) -> Vendor:
        """The service that the secrets asked for so far open."""
        return Vendor(title, tuple(self.found), tuple(self.found.values()))
