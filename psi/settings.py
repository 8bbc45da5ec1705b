"""Settings. Production is the default; the local run (`psi.local`) sets PSI_LOCAL and its own values."""

import os
import zoneinfo
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF

env = os.environ.get
BASE_DIR = Path(__file__).resolve().parent.parent

# What must be said, and is checked by psi.startup.
PSI_LOCAL = env("PSI_LOCAL") == "1"
PSI_DEMO_ASKED = env("PSI_DEMO") == "1"
PSI_HOME = Path(env("PSI_HOME", ".local")).resolve()
PSI_VAULT_KEYS = env("PSI_VAULT_KEYS", "")
# Receipts and blind indexes are found by digests under this key, so it outlives the secret key.
PSI_INDEX_KEY = env("PSI_INDEX_KEY", "")
PSI_REDIS_URL = env("REDIS_URL", "")
PSI_K = int(env("PSI_K", "10"))
PSI_LEAVE_URL = env("PSI_LEAVE_URL", "https://weather.gc.ca/")
SECRET_KEY_GIVEN = bool(env("PSI_SECRET_KEY"))
# Django cannot be imported without a key; nothing starts with this one (psi.startup).
SECRET_KEY = env("PSI_SECRET_KEY") or "no key was given"
SECRET_KEY_FALLBACKS = [key for key in env("PSI_SECRET_KEY_FALLBACKS", "").split(",") if key]
ALLOWED_HOSTS = [host for host in env("PSI_ALLOWED_HOSTS", "").split(",") if host]
PORT = int(env("PORT", "8000"))
PSI_ORIGIN = env("PSI_ORIGIN") or (
    f"http://localhost:{PORT}" if PSI_LOCAL else f"https://{(ALLOWED_HOSTS or ['localhost'])[0]}"
)
DEBUG = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "csp",
    "psi.apps.PsiConfig",
    "sites",
    "training",
    "referrals",
    "matching",
    "tracker",
]
if PSI_LOCAL:
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sites.gate.language.LanguageMiddleware",
    # Last, because it decides about the view and runs it inside the site's scope.
    "sites.gate.middleware.AccessMiddleware",
]

ROOT_URLCONF = "psi.urls"
WSGI_APPLICATION = "psi.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sites.gate.context.site_context",
            ],
        },
    }
]

# PostgreSQL. `default` is the application's role; `owner` migrates (sites/management/commands).
_database = {"conn_max_age": 600, "conn_health_checks": True}
DATABASES = {"default": dj_database_url.parse(env("DATABASE_URL", ""), **_database) if env("DATABASE_URL") else {}}
if env("DATABASE_OWNER_URL"):
    DATABASES["owner"] = dj_database_url.parse(env("DATABASE_OWNER_URL", ""))
for _alias in DATABASES.values():
    _alias.setdefault("ENGINE", "django.db.backends.postgresql")
    _alias.setdefault("OPTIONS", {})["connect_timeout"] = 3
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Valkey: a waker and a short memory. Everything goes on without it (docs/architecture.md).
CACHES = {
    "default": {
        "BACKEND": "psi.cache.ForgivingCache",
        "LOCATION": PSI_REDIS_URL or "redis://localhost/0",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.3, "SOCKET_TIMEOUT": 0.3},
    }
}
DJANGO_REDIS_IGNORE_EXCEPTIONS = True
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = False
_redis = urlsplit(PSI_REDIS_URL)
CELERY_BROKER_URL = (
    f"redis+socket://{_redis.path}?virtual_host={parse_qs(_redis.query).get('db', ['0'])[0]}"
    if _redis.scheme == "unix"
    else PSI_REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Once, not for six seconds: someone whose form is stored waits for this (sites.engine.agenda.wake).
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 2, "socket_connect_timeout": 1, "max_retries": 0}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
PSI_TICK_SECONDS = 5.0

# Mail
_mail = urlsplit(env("PSI_EMAIL_URL", ""))
PSI_EMAIL_GIVEN = bool(_mail.scheme)
if PSI_LOCAL and not PSI_EMAIL_GIVEN:
    EMAIL_BACKEND = "demo.mail.EmailBackend"
    EMAIL_FILE_PATH = PSI_HOME / "mail"
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or 587
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("PSI_MAIL_FROM", "Message service <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Sign-in: by invitation, passkey or authenticator app for everyone.
AUTH_USER_MODEL = "sites.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "sites.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
# The code that signs in is itself the proof of the mailbox.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "join": "20/m/ip,10/10m/key"}
ACCOUNT_FORMS = {
    "login": "sites.accounts.forms.SignInForm",
    "confirm_login_code": "sites.accounts.forms.CodeForm",
}
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PSI_LOCAL
MFA_TOTP_ISSUER = "PSI"
# One step either way, for phones whose clock is off; a code works once (sites.accounts.forms).
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "sites.accounts.forms.FactorForm",
    "reauthenticate": "sites.accounts.forms.FactorAgainForm",
    "activate_totp": "sites.accounts.forms.AppForm",
    "login_webauthn": "sites.accounts.forms.PasskeySignInForm",
    "authenticate_webauthn": "sites.accounts.forms.PasskeyFactorForm",
    "reauthenticate_webauthn": "sites.accounts.forms.PasskeyAgainForm",
    "add_webauthn": "sites.accounts.forms.PasskeyForm",
    "edit_webauthn": "sites.accounts.forms.PasskeyNameForm",
}
MFA_ADAPTER = "sites.accounts.adapters.MFAAdapter"

# Sessions: limits per role are kept by sites.gate.middleware.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PSI_LOCAL
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None  # gone with the browser: the form may be opened on a shared computer
CSRF_FAILURE_VIEW = "sites.landing.errors.csrf_failure"
if not PSI_LOCAL:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 86400
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    # One proxy that speaks TLS stands before us; rate limits count the addresses it reports.
    ALLAUTH_TRUSTED_PROXY_COUNT = int(env("PSI_PROXIES", "1"))
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [PSI_ORIGIN]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "script-src": [SELF],
        "connect-src": [SELF],
        "font-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Language and time. A site has its own time zone; rows are in UTC. The locked list of time zones counts, not what the
# machine happens to have: by an older one clocks go back in British Columbia, and a mail would be an hour off.
zoneinfo.reset_tzpath(to=())
LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "America/Vancouver"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = PSI_HOME / "static" if PSI_LOCAL else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
CRISPY_ALLOWED_TEMPLATE_PACKS = ["psi_pack"]
CRISPY_TEMPLATE_PACK = "psi_pack"
CRISPY_FAIL_SILENTLY = False
SILENCED_SYSTEM_CHECKS: list[str] = []

# Logs carry times, codes and ids; what people typed never reaches them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "psi.logs.WithoutRows", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"route": {"()": "psi.logs.RouteOnly"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["route"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.server": {"level": "WARNING"}, "celery": {"level": "WARNING"}, "fido2": {"level": "WARNING"}},
}
