# The agent, the plugins that come with it, certificate authorities, and nothing else: no shell, no libraries.
# README.md beside this file says how the context is made.
FROM scratch
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Bare names in the manifest of plugins are found beside the program.
COPY farmops-agent farmops-agent-compiler *.wasm /farmops/
COPY --chown=65532:65532 empty/ /var/lib/farmops/
COPY --chown=65532:65532 empty/ /tmp/
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
ENV FARMOPS_CONFIG=/etc/farmops/agent.yaml
VOLUME /var/lib/farmops
ENTRYPOINT ["/farmops/farmops-agent"]
HEALTHCHECK --interval=30s --timeout=12s --start-period=30s CMD ["/farmops/farmops-agent", "ready"]
