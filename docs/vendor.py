def fetch_all():
    pass
