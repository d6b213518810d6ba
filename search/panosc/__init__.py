"""The search API of PaNOSC: what its programs ask, answered from this catalogue. Nothing here decides who sees what."""
