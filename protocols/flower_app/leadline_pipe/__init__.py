"""The pipe between coordinator and hospitals: it carries bytes and reads none of them."""
