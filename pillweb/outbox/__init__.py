"""Every message to anybody: written with its cause, sent later, never lost."""
