"""Everything that talks to a workspace; nothing here is asked before a run or a command needs it."""
