# sayso serve, on the CPU: docker build -t sayso . && docker compose up
FROM python:3.11-slim

RUN useradd --create-home sayso
WORKDIR /src
# What the wheel is built from: tests/test_container.py builds it from these alone.
COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE THIRD_PARTY.md ./
COPY docs/sayso.1 docs/
COPY docs/lecture docs/lecture
COPY src src
RUN pip install --no-cache-dir --constraint constraints.txt '.[offline,serve]' && rm -rf /src/*
USER sayso
WORKDIR /home/sayso
VOLUME ["/data"]
EXPOSE 8000
# Inside the container it listens to all, and asks for a token; compose.yaml publishes it to this machine alone.
ENTRYPOINT ["sayso"]
CMD ["serve", "/data/my.index", "--host", "0.0.0.0", "--port", "8000"]
