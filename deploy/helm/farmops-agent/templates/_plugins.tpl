{{/*
The plugins that run, as a list of {id, source, resources, namespaces, sources, config, limits} under `plugins`.
First-party ones are those of files/first-party.yaml that are enabled; what they read can only be narrowed.
*/}}
{{- define "farmops-agent.plugins" -}}
{{- $plugins := list -}}
{{- range $known := (.Files.Get "files/first-party.yaml" | fromYaml).plugins -}}
  {{- $name := trimPrefix "farmops/" $known.id -}}
  {{- $where := printf "plugins.%s" $name -}}
  {{- $wanted := get $.Values.plugins $name | default dict -}}
  {{- if $wanted.enabled -}}
    {{- range $wanted.resources -}}
      {{- if not (has . $known.resources) -}}
        {{- fail (printf "%s.resources: `%s` is not among what it reads: %s" $where . (join ", " $known.resources)) -}}
      {{- end -}}
    {{- end -}}
    {{- if and $known.sources (not $wanted.sources) -}}
      {{- fail (printf "%s.sources: name at least one of the webhooks or alertmanagers that it reads (%s)" $where (join ", " $known.sources)) -}}
    {{- end -}}
    {{- $plugin := dict "where" $where "id" $known.id "source" (dict "component" $known.component) -}}
    {{- $_ := set $plugin "resources" ($wanted.resources | default $known.resources) -}}
    {{- $plugins = append $plugins (merge $plugin (pick $wanted "namespaces" "sources" "config" "limits")) -}}
  {{- end -}}
{{- end -}}
{{- range $index, $extra := .Values.extraPlugins -}}
  {{- $where := printf "extraPlugins[%d]" $index -}}
  {{- $plugins = append $plugins (merge (dict "where" $where) $extra) -}}
{{- end -}}
{{- $seen := list -}}
{{- range $plugins -}}
  {{- if has .id $seen -}}
    {{- fail (printf "%s.id: `%s` is there already" .where .id) -}}
  {{- end -}}
  {{- $seen = append $seen .id -}}
  {{- include "farmops-agent.checkPlugin" (dict "root" $ "plugin" .) -}}
{{- end -}}
{{- dict "plugins" $plugins | toYaml -}}
{{- end -}}

{{/* Refuses what a plugin must not read, and what there is not. */}}
{{- define "farmops-agent.checkPlugin" -}}
{{- $plugin := .plugin -}}
{{- $values := .root.Values -}}
{{- if and $plugin.resources (not $values.kubernetes.enabled) -}}
  {{- fail (printf "%s reads this cluster, but kubernetes.enabled is false: disable the one or enable the other" $plugin.where) -}}
{{- end -}}
{{- range $plugin.resources -}}
  {{- if or (eq . "secrets") (hasPrefix "secrets/" .) -}}
    {{- fail (printf "%s.resources: secrets are never read" $plugin.where) -}}
  {{- end -}}
  {{- if not (regexMatch "^[a-z][a-z0-9-]*(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" .) -}}
    {{- fail (printf "%s.resources: `%s` is not written like deployments.apps, in the core group like pods" $plugin.where .) -}}
  {{- end -}}
{{- end -}}
{{- range $plugin.namespaces -}}
  {{- if and $values.kubernetes.namespaces (not (has . $values.kubernetes.namespaces)) -}}
    {{- fail (printf "%s.namespaces: `%s` is not among kubernetes.namespaces" $plugin.where .) -}}
  {{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $values.webhooks -}}{{- $names = append $names .name -}}{{- end -}}
{{- range $values.alertmanagers -}}{{- $names = append $names .name -}}{{- end -}}
{{- range $plugin.sources -}}
  {{- if not (has . $names) -}}
    {{- fail (printf "%s.sources: `%s` is neither a webhook nor an alertmanager" $plugin.where .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The manifest of plugins, as the agent reads it. */}}
{{- define "farmops-agent.manifest" -}}
{{- $manifest := list -}}
{{- range (include "farmops-agent.plugins" . | fromYaml).plugins -}}
  {{- $grants := list -}}
  {{- if .resources -}}
    {{- $grant := dict "source" "cluster" "resources" .resources -}}
    {{- if .namespaces -}}{{- $_ := set $grant "namespaces" .namespaces -}}{{- end -}}
    {{- $grants = append $grants $grant -}}
  {{- end -}}
  {{- range .sources -}}
    {{- $grants = append $grants (dict "source" .) -}}
  {{- end -}}
  {{- $entry := dict "id" .id "source" .source "grants" $grants -}}
  {{- $manifest = append $manifest (merge $entry (pick . "version" "config" "limits")) -}}
{{- end -}}
{{- dict "plugins" $manifest | toYaml -}}
{{- end -}}

{{/* What the agent may read: all that plugins may, each once, as a list under `resources`. */}}
{{- define "farmops-agent.resources" -}}
{{- $resources := list -}}
{{- range (include "farmops-agent.plugins" . | fromYaml).plugins -}}
  {{- $resources = concat $resources (.resources | default list) -}}
{{- end -}}
{{- dict "resources" ($resources | uniq | sortAlpha) | toYaml -}}
{{- end -}}

{{/* The same as rules of a role, one for each API group. */}}
{{- define "farmops-agent.rules" -}}
{{- $groups := dict -}}
{{- range (include "farmops-agent.resources" . | fromYaml).resources -}}
  {{- $parts := splitn "." 2 . -}}
  {{- $group := $parts._1 | default "" -}}
  {{- $_ := set $groups $group (append (get $groups $group | default list) $parts._0) -}}
{{- end -}}
{{- range $group, $plurals := $groups }}
- apiGroups: [{{ $group | quote }}]
  resources: {{ toJson $plurals }}
  verbs: [get, list, watch]
{{- end }}
{{- end -}}
