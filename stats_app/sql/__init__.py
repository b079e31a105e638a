"""The statements that the ORM cannot say, or says several times slower, one function each, per database.

They take a Django connection and plain values and return plain values; meaning is given to them in the modules above.
Values always travel as parameters; what is formatted into a statement are names of this package's own.
"""
