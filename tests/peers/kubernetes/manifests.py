"""Manifests of all kinds that people deploy. `{n}` is a suffix, so that two sets can exist side by side."""

POD = "{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: 'nginx:1'}]}}"
JOB_POD = "{metadata: {labels: {app: a}}, spec: {restartPolicy: Never, containers: [{name: c, image: 'nginx:1'}]}}"
SELECTOR = "{matchLabels: {app: a}}"

NAMESPACED = {
    "Deployment": f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d, labels: {{app: a}}}}
spec: {{replicas: 2, selector: {SELECTOR}, template: {POD}}}
""",
    "StatefulSet": f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: s}}
spec:
  serviceName: s
  selector: {SELECTOR}
  template: {POD}
  volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}}}]
""",
    "DaemonSet": f"""
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: ds}}
spec: {{selector: {SELECTOR}, template: {POD}}}
""",
    "Job": f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: j}}
spec: {{backoffLimit: 2, template: {JOB_POD}}}
""",
    "CronJob": f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: cj}}
spec: {{schedule: "0 3 * * *", jobTemplate: {{spec: {{template: {JOB_POD}}}}}}}
""",
    "Pod": """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  initContainers: [{name: i, image: 'busybox:1', command: [sh, -c, 'true']}]
  containers: [{name: c, image: 'nginx:1', ports: [{containerPort: 80}], resources: {limits: {cpu: 1500m, memory: 1Gi}}}]
""",
    "ConfigMap": """
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: b, empty: "", text: "two\\nlines"}
binaryData: {raw: AAEC}
""",
    "Secret": """
apiVersion: v1
kind: Secret
metadata: {name: x}
type: Opaque
stringData: {user: me}
data: {password: c2VjcmV0}
""",
    "Service": """
apiVersion: v1
kind: Service
metadata: {name: sv}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81}]}
""",
    "Ingress": """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: sv, port: {number: 80}}}}]}}]}
""",
    "HorizontalPodAutoscaler": """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
""",
    "PodDisruptionBudget": f"""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: b}}
spec: {{minAvailable: 1, selector: {SELECTOR}}}
""",
    "NetworkPolicy": """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
""",
    "PersistentVolumeClaim": """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0.5Gi}}}
""",
    "ServiceAccount": """
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
imagePullSecrets: [{name: pull}]
""",
    "Role": """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
""",
    "RoleBinding": """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: robot, namespace: default}]
""",
    "Lease": """
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: l}
spec: {holderIdentity: me, leaseDurationSeconds: 15}
""",
    "ResourceQuota": """
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
spec: {hard: {services: 50, limits.cpu: "100"}}
""",
    "LimitRange": """
apiVersion: v1
kind: LimitRange
metadata: {name: lr}
spec: {limits: [{type: Container, max: {cpu: "8"}}]}
""",
    "List": """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c1}, data: {a: "1"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c2}, data: {a: "2"}}
""",
}

CLUSTER_WIDE = {
    "Namespace": "apiVersion: v1\nkind: Namespace\nmetadata: {name: n{n}, labels: {a: b}}\n",
    "ClusterRole": """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cr{n}}
rules: [{apiGroups: [apps], resources: [deployments], verbs: ["*"]}]
""",
    "ClusterRoleBinding": """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: crb{n}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, name: nobody, apiGroup: rbac.authorization.k8s.io}]
""",
    "PriorityClass": """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: pc{n}}
value: 1000
""",
    "StorageClass": """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: sc{n}}
provisioner: disk.csi.azure.com
""",
    "RuntimeClass": "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: rc{n}}\nhandler: runc\n",
    # With a class of its own: otherwise it could be bound to a claim of another test.
    "PersistentVolume": """
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv{n}}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /data}, storageClassName: own}
""",
    "APIService": """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.g{n}.example}
spec: {group: g{n}.example, version: v1, groupPriorityMinimum: 100, versionPriority: 10, service: {name: s, namespace: default}}
""",
    "ValidatingAdmissionPolicy": """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: vap{n}}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "true"}]
""",
}


def definition(group, plural="widgets", kind="Widget"):
    """A custom resource definition with a schema."""
    return f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: {plural}, singular: {kind.lower()}, kind: {kind}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {{type: integer, maximum: 10}}
              text: {{type: string}}
"""


def widget(group, spec="{size: 3}", name="w"):
    return f"\n---\napiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: {name}}}\nspec: {spec}\n"
