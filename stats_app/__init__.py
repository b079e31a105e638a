"""Stats Tools: how are our e-mail signatures doing?"""

__version__ = "0.1.0"
