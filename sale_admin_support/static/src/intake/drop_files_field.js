import { useExternalListener, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useDropzone } from "@web/core/dropzone/dropzone_hook";
import { checkFileSize, useFileUploader } from "@web/core/utils/files";
import {
    Many2ManyBinaryField,
    many2ManyBinaryField,
} from "@web/views/fields/many2many_binary/many2many_binary_field";

/** Files that are dropped on the form, or pasted into it, beside those that are chosen. */
export class DropFilesField extends Many2ManyBinaryField {
    static template = "sale_admin_support.DropFilesField";

    setup() {
        super.setup();
        this.root = useRef("root");
        this.uploadFiles = useFileUploader();
        useDropzone(this.root, (ev) => this.upload([...ev.dataTransfer.files]));
        useExternalListener(document, "paste", (ev) => {
            const files = [...(ev.clipboardData?.files || [])];
            if (files.length) {
                ev.preventDefault();
                this.upload(files);
            }
        });
    }

    get uploadText() {
        return _t("choose files");
    }

    async upload(files) {
        const accepted = files.filter((file) => checkFileSize(file.size, this.notification));
        if (!accepted.length) {
            return;
        }
        const { resModel, resId } = this.props.record;
        try {
            const uploaded = await this.uploadFiles("/web/binary/upload_attachment", {
                csrf_token: odoo.csrf_token,
                ufile: accepted,
                model: resModel,
                id: resId || 0,
            });
            if (uploaded) {
                await this.onFileUploaded(uploaded);
            }
        } catch {
            this.notification.add(_t("The files could not be sent to the server: try again."), {
                type: "danger",
            });
        }
    }
}

registry.category("fields").add("sale_admin_drop_files", {
    ...many2ManyBinaryField,
    component: DropFilesField,
});
