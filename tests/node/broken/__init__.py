"""Broken exports, made from the rules of the import: nothing crashes, and every row is accounted for."""
