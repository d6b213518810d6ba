# The site and its worker. `--build-arg REQUIREMENTS=requirements.txt` adds what the image classifier needs.
FROM python:3.11-slim-bookworm
ARG REQUIREMENTS=requirements-web.txt
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=portal.settings.production
WORKDIR /srv/faircat
COPY requirements*.txt ./
RUN pip install --no-cache-dir -r "$REQUIREMENTS" && useradd --system --uid 10001 faircat \
    && install -d -o faircat /var/lib/faircat
COPY . .
USER faircat
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "8"]
