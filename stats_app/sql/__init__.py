"""The SQL that the ORM cannot express, or runs several times slower: one function for each statement.

The functions take a Django connection and plain values, and return plain values; the modules above interpret them.
Values are always passed as parameters; only names from this package are formatted into a statement.
"""
