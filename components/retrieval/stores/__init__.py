"""The vector stores behind one interface; each module is imported only by a component that uses it."""
