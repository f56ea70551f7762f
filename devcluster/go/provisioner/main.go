// Command provisioner makes local volumes for claims of the class "standard".
//
// A volume is a directory below -root, handed out as a volume of type "local", because the
// kubelet applies fsGroup to those and not to hostPath. It is removed with its claim.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const (
	className    = "standard"
	provisioner  = "winnow.dev/local"
	selectedNode = "volume.kubernetes.io/selected-node"
)

type controller struct {
	client kubernetes.Interface
	root   string
	queue  workqueue.TypedRateLimitingInterface[string]
	claims cache.Indexer
	pvs    cache.Indexer
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	root := flag.String("root", "", "directory below which volumes are made")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	ctx := context.Background()
	if err := makeClass(ctx, client); err != nil {
		log.Fatal(err)
	}
	newController(client, *root).run(ctx)
}

func makeClass(ctx context.Context, client kubernetes.Interface) error {
	mode, policy := storage.VolumeBindingWaitForFirstConsumer, core.PersistentVolumeReclaimDelete
	class := &storage.StorageClass{
		ObjectMeta: meta.ObjectMeta{
			Name:        className,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:       provisioner,
		VolumeBindingMode: &mode,
		ReclaimPolicy:     &policy,
	}
	_, err := client.StorageV1().StorageClasses().Create(ctx, class, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func newController(client kubernetes.Interface, root string) *controller {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](200*time.Millisecond, 30*time.Second))
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	pvs := factory.Core().V1().PersistentVolumes().Informer()
	add := func(prefix string) cache.ResourceEventHandlerFuncs {
		put := func(object any) {
			if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
				queue.Add(prefix + key)
			}
		}
		return cache.ResourceEventHandlerFuncs{AddFunc: put, UpdateFunc: func(_, object any) { put(object) }}
	}
	claims.AddEventHandler(add("claim:"))
	pvs.AddEventHandler(add("volume:"))
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())
	return &controller{client: client, root: root, queue: queue, claims: claims.GetIndexer(), pvs: pvs.GetIndexer()}
}

func (c *controller) run(ctx context.Context) {
	for {
		key, shutdown := c.queue.Get()
		if shutdown {
			return
		}
		if err := c.reconcile(ctx, key); err != nil {
			log.Printf("%s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *controller) reconcile(ctx context.Context, key string) error {
	if name, ok := cutPrefix(key, "claim:"); ok {
		object, exists, err := c.claims.GetByKey(name)
		if err != nil || !exists {
			return err
		}
		return c.provision(ctx, object.(*core.PersistentVolumeClaim))
	}
	name, _ := cutPrefix(key, "volume:")
	object, exists, err := c.pvs.GetByKey(name)
	if err != nil || !exists {
		return err
	}
	return c.reclaim(ctx, object.(*core.PersistentVolume))
}

func cutPrefix(text, prefix string) (string, bool) {
	if len(text) >= len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):], true
	}
	return text, false
}

func (c *controller) provision(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	class := claim.Spec.StorageClassName
	node := claim.Annotations[selectedNode]
	if claim.Status.Phase != core.ClaimPending || class == nil || *class != className || node == "" {
		return nil
	}
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// The umask may have taken bits away; pods of any user write here unless fsGroup narrows it.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	_, err := c.client.CoreV1().PersistentVolumes().Create(ctx, volume(claim, name, path, node), meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func volume(claim *core.PersistentVolumeClaim, name, path, node string) *core.PersistentVolume {
	mode := core.PersistentVolumeFilesystem
	term := core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{{
		Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node},
	}}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner},
		},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			StorageClassName:              className,
			VolumeMode:                    &mode,
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			NodeAffinity: &core.VolumeNodeAffinity{
				Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{term}},
			},
		},
	}
}

func (c *controller) reclaim(ctx context.Context, pv *core.PersistentVolume) error {
	mine := pv.Annotations["pv.kubernetes.io/provisioned-by"] == provisioner
	if !mine || pv.Status.Phase != core.VolumeReleased || pv.Spec.Local == nil {
		return nil
	}
	if filepath.Dir(pv.Spec.Local.Path) != filepath.Clean(c.root) {
		return fmt.Errorf("refusing to remove %s, it is not below %s", pv.Spec.Local.Path, c.root)
	}
	if err := os.RemoveAll(pv.Spec.Local.Path); err != nil {
		return err
	}
	err := c.client.CoreV1().PersistentVolumes().Delete(ctx, pv.Name, meta.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
