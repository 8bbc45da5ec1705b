FROM python:3.13-slim AS packages
RUN python -m venv /venv
COPY requirements/base.txt /tmp/
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /tmp/base.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=psi.settings
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin psi
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Bytecode is written now: the account below owns nothing here, so it could not write it later.
RUN python -m compileall -q . && python manage.py collectstatic --noinput --verbosity 0
USER psi
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "deploy/healthy.py"]
# Each thread keeps a database connection: 2 x 8, well below PostgreSQL's limit of 100.
CMD ["granian", "--interface", "wsgi", "psi.wsgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "5", "--respawn-failed-workers"]
