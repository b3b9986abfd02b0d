# A container for a service of rxml: `docker build -t service . && docker run -p 8080:8080 service`.
# Put your own module in place of examples/service.py, and what it needs into the first stage.

FROM python:3.13-slim AS built
WORKDIR /build
COPY . .
RUN python -m venv /opt/rxml \
    && /opt/rxml/bin/pip install --no-cache-dir --require-hashes -r requirements/demo.txt \
    && /opt/rxml/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin service
COPY --from=built /opt/rxml /opt/rxml
COPY examples/service.py /srv/service.py
WORKDIR /srv

# One thread of BLAS for each worker; the admin side can be reached by whoever probes the container.
ENV PATH=/opt/rxml/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    ADMIN_HOST=0.0.0.0 \
    ADMIN_PORT=9090 \
    LINGER_SECONDS=2

USER 10001
EXPOSE 8080 9090

# SIGTERM drains: 2 s to be taken out of the balancing, 5 s for what is under way. Give it 10 s: `docker stop -t 10`.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9090/ready', timeout=2)"]
ENTRYPOINT ["rxml", "serve"]
CMD ["service.py:app", "--host", "0.0.0.0", "--port", "8080", "--workers", "2", "--log", "json"]
