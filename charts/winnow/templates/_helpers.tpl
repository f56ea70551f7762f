{{- /* Names, labels and images that the templates share. */ -}}

{{- define "winnow.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "winnow.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "winnow.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "winnow.operatorName" -}}
{{- printf "%s-operator" (include "winnow.fullname" .) -}}
{{- end -}}

{{- define "winnow.selectorLabels" -}}
app.kubernetes.io/name: {{ include "winnow.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "winnow.commonLabels" -}}
app.kubernetes.io/part-of: winnow
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "winnow.labels" -}}
{{ include "winnow.selectorLabels" . }}
{{ include "winnow.commonLabels" . }}
{{- end -}}

{{- define "winnow.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "winnow.operatorName" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is empty: name the service account to use, or set serviceAccount.create to true" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* An image reference: (dict "image" .Values.image "version" .Chart.AppVersion). */ -}}
{{- define "winnow.image" -}}
{{- $repository := .image.repository -}}
{{- if .image.registry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .image.registry) $repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .version .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "winnow.operatorImage" -}}
{{- include "winnow.image" (dict "image" .Values.image "version" .Chart.AppVersion) -}}
{{- end -}}

{{- define "winnow.trainerImage" -}}
{{- include "winnow.image" (dict "image" .Values.trainer.image "version" .Chart.AppVersion) -}}
{{- end -}}

{{- define "winnow.serverImage" -}}
{{- include "winnow.image" (dict "image" .Values.server.image "version" .Chart.AppVersion) -}}
{{- end -}}

{{- /* The rules of files/rbac.yaml: (dict "root" . "part" "watched"). */ -}}
{{- define "winnow.rules" -}}
{{- $rules := tpl (.root.Files.Get "files/rbac.yaml") .root | fromYaml -}}
{{- get $rules .part | toYaml -}}
{{- end -}}
