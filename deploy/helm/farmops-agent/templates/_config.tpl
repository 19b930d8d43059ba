{{/* The agent's configuration, as it reads it. */}}
{{- define "farmops-agent.config" -}}
{{- include "farmops-agent.check" . -}}
{{- $v := .Values -}}
{{- $config := dict
  "cluster_alias" $v.clusterAlias
  "tracker_url" $v.tracker.url
  "data_dir" "/var/lib/farmops/agent"
  "listen" "127.0.0.1:9090"
  "health_listen" "0.0.0.0:9092"
  "plugins" "farmops-plugins.yaml"
  "log" $v.log
-}}
{{- $farmer := dict "name" $v.farmer.name "on_call" (default false $v.farmer.onCall) -}}
{{- if $v.farmer.identities -}}{{- $_ := set $farmer "identities" $v.farmer.identities -}}{{- end -}}
{{- $_ := set $config "farmer" $farmer -}}
{{- if $v.tracker.ca -}}
  {{- $_ := set $config "tracker_ca_file" "/etc/farmops/tracker-ca.pem" -}}
{{- end -}}
{{- if $v.tracker.clientCertificateSecret -}}
  {{- $_ := set $config "tracker_client_cert_file" "/etc/farmops-tls/tls.crt" -}}
  {{- $_ := set $config "tracker_client_key_file" "/etc/farmops-tls/tls.key" -}}
{{- end -}}
{{- if $v.metrics.enabled -}}
  {{- $_ := set $config "metrics_listen" "0.0.0.0:9091" -}}
{{- end -}}
{{- if $v.identity.existingSecret -}}
  {{- $_ := set $config "identity_dir" "/etc/farmops-identity" -}}
{{- end -}}
{{- $evidence := dict "days_max" ($v.evidence.daysMax | int) -}}
{{- if $v.evidence.bytesMax -}}{{- $_ := set $evidence "bytes_max" ($v.evidence.bytesMax | int64) -}}{{- end -}}
{{- if $v.evidence.secretKey -}}
  {{- $_ := set $evidence "key_file" (printf "/etc/farmops-secrets/%s" $v.evidence.secretKey) -}}
{{- end -}}
{{- $_ := set $config "evidence" $evidence -}}
{{- if $v.limits -}}
  {{- $limits := dict -}}
  {{- range $key, $value := $v.limits -}}{{- $_ := set $limits (snakecase $key) ($value | int64) -}}{{- end -}}
  {{- $_ := set $config "limits" $limits -}}
{{- end -}}
{{- if $v.standby.enabled -}}
  {{- $_ := set $config "standby" (dict "lease" (include "farmops-agent.fullname" .) "namespace" .Release.Namespace) -}}
{{- end -}}
{{- $sources := dict -}}
{{- if $v.kubernetes.enabled -}}
  {{- $cluster := dict "name" "cluster" -}}
  {{- if $v.kubernetes.namespaces -}}{{- $_ := set $cluster "namespaces" $v.kubernetes.namespaces -}}{{- end -}}
  {{- $_ := set $sources "kubernetes" (list $cluster) -}}
{{- end -}}
{{- if $v.webhooks -}}
  {{- $hooks := list -}}
  {{- range $v.webhooks -}}
    {{- $file := printf "/etc/farmops-secrets/%s" (.secretKey | default .name) -}}
    {{- $hooks = append $hooks (dict "name" .name "provider" .provider "secret_file" $file) -}}
  {{- end -}}
  {{- $_ := set $sources "webhook" (dict "listen" "0.0.0.0:9095" "hooks" $hooks) -}}
{{- end -}}
{{- if $v.alertmanagers -}}
  {{- $polls := list -}}
  {{- range $v.alertmanagers -}}
    {{- $poll := dict "name" .name "url" .url -}}
    {{- if .intervalSeconds -}}{{- $_ := set $poll "interval_seconds" (.intervalSeconds | int) -}}{{- end -}}
    {{- if .secretKey -}}{{- $_ := set $poll "token_file" (printf "/etc/farmops-secrets/%s" .secretKey) -}}{{- end -}}
    {{- $polls = append $polls $poll -}}
  {{- end -}}
  {{- $_ := set $sources "http_poll" $polls -}}
{{- end -}}
{{- $_ := set $config "sources" $sources -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The keys of `secrets` that something needs, each with who needs it, as a map. */}}
{{- define "farmops-agent.secretKeys" -}}
{{- $keys := dict -}}
{{- range $index, $hook := .Values.webhooks -}}
  {{- $_ := set $keys ($hook.secretKey | default $hook.name) (printf "webhooks[%d].secretKey" $index) -}}
{{- end -}}
{{- range $index, $poll := .Values.alertmanagers -}}
  {{- if $poll.secretKey -}}{{- $_ := set $keys $poll.secretKey (printf "alertmanagers[%d].secretKey" $index) -}}{{- end -}}
{{- end -}}
{{- if .Values.evidence.secretKey -}}{{- $_ := set $keys .Values.evidence.secretKey "evidence.secretKey" -}}{{- end -}}
{{- toYaml $keys -}}
{{- end -}}

{{/* Refuses values that read well but cannot work together. */}}
{{- define "farmops-agent.check" -}}
{{- $v := .Values -}}
{{- if and (kindIs "invalid" $v.farmer.onCall) (include "farmops-agent.resources" . | fromYaml).resources -}}
  {{- fail (printf "farmer.onCall: a cluster does not say whose work it shows: with true it is that of %s, with false none of it counts" $v.farmer.name) -}}
{{- end -}}
{{- if and $v.secrets.existingSecret $v.secrets.values -}}
  {{- fail "secrets.values: secrets.existingSecret names a Secret already: give the one or the other" -}}
{{- end -}}
{{- if and $v.evidence.secretKey (not $v.secrets.existingSecret) -}}
  {{- fail "evidence.secretKey: 32 random bytes are no text for secrets.values: give secrets.existingSecret" -}}
{{- end -}}
{{- if not $v.secrets.existingSecret -}}
  {{- range $key, $who := include "farmops-agent.secretKeys" . | fromYaml -}}
    {{- if not (get $v.secrets.values $key) -}}
      {{- fail (printf "%s: secrets.values has no `%s`, and there is no secrets.existingSecret" $who $key) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and $v.standby.enabled (not $v.identity.existingSecret) -}}
  {{- fail "standby.enabled: both agents have to be the same one: give identity.existingSecret" -}}
{{- end -}}
{{- if and $v.standby.enabled $v.persistence.existingClaim -}}
  {{- fail "persistence.existingClaim: with standby.enabled each replica has data of its own" -}}
{{- end -}}
{{- if and $v.webhookService.enabled (not $v.webhooks) -}}
  {{- fail "webhookService.enabled: there are no webhooks" -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.enabled) -}}
  {{- fail "metrics.serviceMonitor.enabled: metrics.enabled is false, so there is nothing to scrape" -}}
{{- end -}}
{{- $names := list "cluster" -}}
{{- range concat $v.webhooks $v.alertmanagers -}}
  {{- if has .name $names -}}
    {{- fail (printf "webhooks, alertmanagers: two sources are named `%s`" .name) -}}
  {{- end -}}
  {{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
