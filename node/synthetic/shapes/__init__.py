"""The shapes in which hospitals' systems export, one module each."""
