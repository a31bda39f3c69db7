{"format": "smsp-profile", "version": 1}
