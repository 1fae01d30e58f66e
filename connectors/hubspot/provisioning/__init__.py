"""Brings our company properties into a portal, says beforehand what that would do, and takes them away again."""
