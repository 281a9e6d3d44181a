"""Spreadsheets from strangers: rows of text with what is wrong about them. Knows nothing of relief."""
