"""What an error says, with all that led to it."""


def everything_said(error: BaseException | None) -> str:
    """The messages of an error and of those behind it: Dagster wraps what a component raises several times."""
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)
