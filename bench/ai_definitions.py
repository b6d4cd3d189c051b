"""`dg check defs` of the AI starter beside the same definitions written by hand, in CPU seconds, by turns.

uv run python bench/ai_definitions.py [rounds]
"""

from lakehouse_definitions import main

if __name__ == "__main__":
    main("ai", "handwritten_ai")
