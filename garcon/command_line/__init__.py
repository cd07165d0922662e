"""Parts that the command lines of this package share: completion in a shell."""
