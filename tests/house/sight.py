"""What row security leaves open, who looks at everybody's rows, and who owns them."""

# Why a table that keeps nobody's rows back needs no policy.
OPEN = {
    "account": "an account is no patient; sign-in looks for it before anybody is known",
    "account_link": "of an account, found by its secret",
    "account_notice": "of an account, found by its secret",
    "account_request": "of whoever asks, before anybody is known; encrypted",
    "backup_run": "of the house: how backups went",
    "breaker": "of the house: how providers do",
    "brought_in": "of an account, before there is a patient; encrypted",
    "canary": "of the house: test messages",
    "device": "of one browser, found by its secret; whose it is says its place",
    "device_try": "of whoever typed a wrong code",
    "entry_try": "of whoever typed a wrong code",
    "erasure": "of nobody who is still here",
    "heartbeat": "of the house: who is alive",
    "incident": "of the house: what went wrong",
    "live_note": "of one open page, found by its key; encrypted",
    "oidc_identity": "of an account, found by a keyed hash",
    "oidc_try": "of an account, found by its secret",
    "passkey": "of an account, found by what its device signs",
    "passkey_challenge": "of one browser, found by its secret",
    "printed_code": "of an account, before anybody is known",
    "recovery": "of an account, found by its secret",
    "recovery_helper": "of an account, before anybody is known",
    "sign_in_mail": "of an account, found by its secret",
    "web_session": "of an account, found by its secret",
}
# Who may look at everybody's rows: to find whose a secret is, and for the house.
SEES_EVERYBODY = {
    "admin/queries.py": 1,
    "answers/queries.py": 1,
    "contacts/queries.py": 2,
    "devices/actions/pairing.py": 1,
    "devices/queries.py": 2,
    "feeds/queries.py": 1,
    "hooks/views.py": 1,
    "invitations/queries.py": 6,
    "papers/queries.py": 1,
    "portals/queries.py": 1,
    "recovery/queries.py": 3,
    "reminders/queries/alerts.py": 1,
    "rights/queries.py": 1,
    "sharing/queries/doors.py": 2,
    "sync/queries.py": 1,
    "watch/queries.py": 1,
}
AS_OWNER = {
    "pillweb/base/db.py",
    "pillweb/base/web_db.py",  # where there are no roles
    "pillweb/channels/live.py",  # a worker sends
    "pillweb/portals/views/audit_commands.py",
    "pillweb/portals/views/backup_commands.py",
    "pillweb/portals/views/commands.py",
    "pillweb/portals/views/import_drafts.py",
    "pillweb/portals/views/key_commands.py",
}
