"""OAI-PMH 2.0: the archive as harvesters read it (https://www.openarchives.org/OAI/openarchivesprotocol.html)."""
