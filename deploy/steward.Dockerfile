# Steward itself: docker build -t steward -f deploy/steward.Dockerfile .
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY agent agent
COPY tools tools
COPY prompts prompts
RUN python -m venv /opt/steward && /opt/steward/bin/pip install --no-cache-dir . kubernetes==37.0.2 docker==7.2.0

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home steward
COPY --from=build /opt/steward /opt/steward
ENV PATH=/opt/steward/bin:$PATH STEWARD_HOME=/state STEWARD_FLEET=/etc/steward/steward.yaml
USER 10001:10001
VOLUME /state
EXPOSE 8780
ENTRYPOINT ["steward"]
CMD ["serve"]
