"""Archives of what is neither database nor documents: the configuration, the logs, the application itself."""
