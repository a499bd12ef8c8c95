# One image for every part of the system: Airflow, dbt, Great Expectations and the pipeline share one environment.
# docker buildx imagetools inspect python:3.13-slim
FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS pipeline

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    TZ=Asia/Shanghai \
    LANG=C.UTF-8

# Nobody in the container is root; named volumes take over the owner of the folders made here.
RUN groupadd --gid 10001 threegaps \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/threegaps --shell /usr/sbin/nologin threegaps \
    && install --directory --owner=10001 --group=10001 --mode=0700 \
        /var/lib/threegaps /var/lib/threegaps/landing /var/lib/threegaps/logs /var/lib/threegaps/airflow /var/lib/threegaps/drop /var/lib/threegaps/watch \
        /var/lib/threegaps/sandbox /var/lib/threegaps/sandbox/drop

WORKDIR /srv/threegaps

# The lock first: a change of our own code leaves this layer as it is.
COPY requirements.txt ./
RUN pip install --no-deps --require-hashes --only-binary :all: -r requirements.txt

COPY LICENSE README.md pyproject.toml requirements.in ./
COPY plugins ./plugins
COPY dags ./dags
COPY docs/runbook.md docs/runbook.zh.md ./docs/
COPY expectations ./expectations
COPY dbt_project ./dbt_project
RUN pip install --no-deps --editable .

ENV THREEGAPS_ROOT=/srv/threegaps \
    THREEGAPS_HOME=/var/lib/threegaps \
    AIRFLOW_HOME=/var/lib/threegaps/airflow

USER 10001:10001
CMD ["threegaps", "--help"]

# The synthetic departments; where all departments are real, `docker build --target pipeline` leaves them out.
FROM pipeline
COPY sandbox ./sandbox
