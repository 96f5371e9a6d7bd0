"""How the refund-support example is written: an invented shop, its customers in seven languages, and its attackers."""
