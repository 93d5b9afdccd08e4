char *getenv(const char *name);
