"""Reading documents: from bytes to blocks of text with their headings."""
