/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "process/container_id.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char found[CONTAINER_ID_SIZE];

static void check(const char *line, const char *expected) {
    container_id_parse(found, line);
    ck_assert_msg(strcmp(found, expected) == 0, "%s: '%s'", line, found);
}

START_TEST(a_group_names_the_container) {
    check("0::/docker/" ID "\n", ID);
    check("0::/system.slice/docker-" ID ".scope\n", ID);
    check("4:memory:/kubepods/besteffort/pod7/" ID "\n", ID);
    check("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-" ID ".scope\n", ID);
    check("0::/kubepods.slice/cri-containerd:" ID "\n", ID);
    check("0::/machine.slice/libpod-" ID ".scope/container\n", ID);
}
END_TEST

START_TEST(other_groups_name_none) {
    check("0::/\n", "");
    check("0::/user.slice/user-1000.slice/session-1.scope\n", "");
    check("0::/docker/" ID "0\n", "");
    check("0::/docker/x" ID "\n", "");
    check("0::/docker/" ID "x\n", "");
    check("0::/docker/0123456789abcdef\n", "");
    check("", "");
}
END_TEST

START_TEST(a_mounted_file_names_the_container) {
    check("5 4 8:1 /var/lib/docker/c/" ID "/hostname /etc/hostname rw - ext4\n", ID);
    check("5 4 8:1 /x/" ID "/userdata/hosts /etc/hosts rw - x\n", ID);
    check("5 4 0:9 / / rw - overlay overlay rw,lowerdir=/x/" ID "/diff\n", "");
    check("5 4 8:1 /x/sandboxes/" ID "/hostname /etc/hostname rw - ext4\n", "");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("container_id");
    tcase_add_test(tests, a_group_names_the_container);
    tcase_add_test(tests, other_groups_name_none);
    tcase_add_test(tests, a_mounted_file_names_the_container);
    return check_run("container_id", tests);
}
