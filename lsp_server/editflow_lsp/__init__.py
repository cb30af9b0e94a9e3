"""The language server and the daemon that keeps the engine warm; neither is written yet."""
