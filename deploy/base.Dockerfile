# What every model server image is built on: docker build -t steward-base -f deploy/base.Dockerfile .
# TORCH=1 adds torch and safetensors, needed for versions that are not ONNX.
FROM python:3.11-slim
ARG TORCH=0
RUN pip install --no-cache-dir "numpy>=2.3" "onnxruntime>=1.23" "uvicorn>=0.38" "pydantic>=2.13" \
    && if [ "$TORCH" = 1 ]; then pip install --no-cache-dir torch==2.13.0 "safetensors>=0.8"; fi \
    && useradd --uid 10001 --no-create-home steward
